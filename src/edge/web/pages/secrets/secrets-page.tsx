import { Plus } from 'lucide-react';
import { useState } from 'react';
import { PageHead } from '../../shell/page-head.tsx';
import { secretWords } from '../../strings/secrets.ts';
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
      <PageHead title={secretWords.title} text={secretWords.text}>
        <Button look="primary" onClick={() => setAdding('secret')}>
          <Plus aria-hidden className="size-4" />
          {secretWords.add}
        </Button>
      </PageHead>
      <div className="space-y-5">
        <Card flush className="pt-2">
          <SecretTable />
        </Card>
        <Card
          title={secretWords.connections}
          aside={
            <Button size="small" onClick={() => setAdding('connection')}>
              <Plus aria-hidden className="size-3.5" />
              {secretWords.addConnection}
            </Button>
          }
          flush
        >
          <p className="px-5 pb-3 text-ink-soft">{secretWords.connectionsText}</p>
          <Connections />
        </Card>
        <Card title={secretWords.key.title}>
          <MasterKey />
        </Card>
      </div>
      {adding === 'secret' && <AddSecret onClose={() => setAdding(null)} />}
      {adding === 'connection' && <AddConnection onClose={() => setAdding(null)} />}
    </>
  );
}
