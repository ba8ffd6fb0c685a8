import { useEffect, useState } from 'react';
import { absoluteTime, relativeTime } from './format.ts';

/** The present, told anew every `stepMs`. */
export function useNow(stepMs = 15_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), stepMs);
    return () => clearInterval(timer);
  }, [stepMs]);
  return now;
}

/** A moment (ISO 8601 or milliseconds) as its distance from now; the moment itself on pointing at it. */
export function Time({ at, className = '' }: { readonly at: string | number; readonly className?: string }) {
  const now = useNow();
  const moment = new Date(at).getTime();
  return (
    <time dateTime={new Date(moment).toISOString()} title={absoluteTime(moment)} className={className}>
      {relativeTime(moment, now)}
    </time>
  );
}
