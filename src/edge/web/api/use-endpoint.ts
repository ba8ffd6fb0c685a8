import { useInfiniteQuery, useMutation, useQuery, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query';
import type { z } from 'zod';
import type { Endpoint } from '#core/endpoint';
import { useToast } from '../ui/toast.tsx';
import { useApi } from './api.ts';
import { messageOf } from './message.ts';
import { keyOf } from './query.ts';

export interface QueryOptions {
  /** False: not asked yet. */
  readonly enabled?: boolean;
  /** Only for what no event tells. */
  readonly refetchMs?: number;
}

/** The answer of a GET endpoint, kept fresh by the event feed. */
export function useEndpoint<I extends z.ZodType, O extends z.ZodType>(
  endpoint: Endpoint<I, O>,
  input: z.input<I>,
  { enabled = true, refetchMs }: QueryOptions = {},
): UseQueryResult<z.output<O>> {
  const { client } = useApi();
  return useQuery({
    queryKey: keyOf(endpoint, input),
    queryFn: ({ signal }) => client.call(endpoint, input, { signal }),
    enabled,
    ...(refetchMs !== undefined && { refetchInterval: refetchMs }),
  });
}

interface ListAnswer {
  readonly items: readonly unknown[];
  readonly next: string | null;
}

/** A list by pages: `items` of all pages read so far, and how to read on. */
export function usePages<I extends z.ZodType, O extends z.ZodType<ListAnswer>>(endpoint: Endpoint<I, O>, input: z.input<I> & object) {
  const { client } = useApi();
  const query = useInfiniteQuery({
    queryKey: keyOf(endpoint, { ...input, pages: true }),
    queryFn: ({ signal, pageParam }) => client.call(endpoint, { ...input, ...(pageParam !== null && { cursor: pageParam }) }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
  return { ...query, items: (query.data?.pages.flatMap((page) => page.items) ?? []) as z.output<O>['items'] };
}

export interface ActionOptions<T> {
  /** Said in a toast when it is done. */
  readonly done?: string | ((answer: T) => string);
  /** The caller shows errors in place; no toast. */
  readonly quiet?: boolean;
  /** Endpoints whose answers are stale afterwards, besides what the event feed says. */
  readonly refresh?: readonly Pick<Endpoint, 'path'>[];
}

/** A call that changes something; its failure is shown in a toast unless `quiet`. */
export function useAction<I extends z.ZodType, O extends z.ZodType>(
  endpoint: Endpoint<I, O>,
  { done, quiet = false, refresh = [] }: ActionOptions<z.output<O>> = {},
): UseMutationResult<z.output<O>, Error, z.input<I>> {
  const { client, queries } = useApi();
  const toast = useToast();
  return useMutation({
    mutationFn: (input: z.input<I>) => client.call(endpoint, input),
    async onSuccess(answer) {
      if (done !== undefined) toast.good(typeof done === 'string' ? done : done(answer));
      await Promise.all(refresh.map((it) => queries.invalidateQueries({ queryKey: keyOf(it) })));
    },
    onError(error) {
      if (!quiet) toast.bad(messageOf(error));
    },
  });
}
