import { Plus } from 'lucide-react';
import { useState } from 'react';
import { PageHead } from '../../shell/page-head.tsx';
import { t } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { AddConnection } from './connection-form.tsx';
import { Connections } from './connections.tsx';
import { MasterKey } from './master-key.tsx';
import { AddSecret } from './secret-forms.tsx';
import { SecretTable } from './secret-table.tsx';

export function SecretsPage() {
  const [adding, setAdding] = useState<'secret' | 'connection' | null>(null);
  return (
    <>
      <PageHead title={t.secrets.title} text={t.secrets.text}>
        <Button look="primary" onClick={() => setAdding('secret')}>
          <Plus aria-hidden className="size-4" />
          {t.secrets.add}
        </Button>
      </PageHead>
      <div className="space-y-5">
        <Card flush className="pt-2">
          <SecretTable />
        </Card>
        <Card
          title={t.secrets.connections}
          aside={
            <Button size="small" onClick={() => setAdding('connection')}>
              <Plus aria-hidden className="size-3.5" />
              {t.secrets.addConnection}
            </Button>
          }
          flush
        >
          <p className="px-5 pb-3 text-ink-soft">{t.secrets.connectionsText}</p>
          <Connections />
        </Card>
        <Card title={t.secrets.key.title}>
          <MasterKey />
        </Card>
      </div>
      {adding === 'secret' && <AddSecret onClose={() => setAdding(null)} />}
      {adding === 'connection' && <AddConnection onClose={() => setAdding(null)} />}
    </>
  );
}
