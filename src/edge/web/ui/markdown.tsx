import { lazy, Suspense } from 'react';
import { Skeleton } from './skeleton.tsx';

const Body = lazy(() => import('./markdown-body.tsx'));

/** Text with Markdown in it, whoever wrote it: no HTML, no images from elsewhere, links that tell nobody where they come from. */
export function Markdown({ text, streaming = false }: { readonly text: string; readonly streaming?: boolean }) {
  return (
    <Suspense fallback={<Skeleton lines={5} />}>
      <Body text={text} streaming={streaming} />
    </Suspense>
  );
}
