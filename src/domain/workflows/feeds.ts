import { AppError } from '#core/errors';
import { canonicalUrl, parseOpml, toOpml } from '#feeds';
import type { FeedHealth } from '#skills';
import type { Feed, Workflow } from './contract.ts';
import type { Workflows } from './workflows.ts';

/** The feeds among the resources of workflows. */
export interface WorkflowFeeds {
  /** Those that fail first, then by name. */
  list(): Promise<Feed[]>;
  /** Adds what an OPML document lists. Throws `feeds.not_opml`, `workflow.no_feeds`. */
  importOpml(idOrName: string, opml: string, by: string): Promise<{ workflow: string; added: string[]; known: number }>;
  exportOpml(idOrName: string): Promise<string>;
}

export interface WorkflowFeedsDeps {
  readonly workflows: Pick<Workflows, 'list' | 'get' | 'save'>;
  /** How each feed that was ever read does. */
  readonly health: () => Promise<readonly FeedHealth[]>;
}

const PAGE = 500;
const KIND = 'rss_feed';

export function createWorkflowFeeds({ workflows, health }: WorkflowFeedsDeps): WorkflowFeeds {
  async function all(): Promise<Workflow[]> {
    const found: Workflow[] = [];
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await workflows.list({ limit: PAGE, cursor });
      for (const { id } of page.items) found.push(await workflows.get(id));
      cursor = page.next ?? undefined;
    }
    return found;
  }

  return {
    async list() {
      const feeds = new Map<string, Feed>();
      const states = new Map((await health()).map((each) => [each.url, each]));
      for (const { name: workflow, definition } of await all())
        for (const { type, url, name } of definition.resources) {
          if (type !== KIND || url === undefined) continue;
          const { lastOkAt = null, failures = 0, lastError = null } = states.get(url) ?? {};
          const state = failures > 0 ? 'failing' : lastOkAt === null ? 'new' : 'ok';
          const known = feeds.get(url) ?? { url, name, workflows: [], state, lastOkAt, failures, lastError };
          feeds.set(url, { ...known, workflows: [...known.workflows, workflow] });
        }
      return [...feeds.values()].toSorted(
        (a, b) => Number(b.state === 'failing') - Number(a.state === 'failing') || (a.name ?? a.url).localeCompare(b.name ?? b.url),
      );
    },

    async importOpml(idOrName, opml, by) {
      const listed = parseOpml(opml).filter(({ xmlUrl }) => /^https?:/.test(xmlUrl)); // a document from elsewhere names no files
      if (listed.length === 0) throw new AppError('invalid', 'workflow.no_feeds', 'opml: the document lists no feed with a web address');
      const { id, name, definition } = await workflows.get(idOrName);
      const has = new Set(definition.resources.flatMap(({ type, url }) => (type === KIND && url !== undefined ? [keyOf(url)] : [])));
      const fresh = listed.filter(({ xmlUrl }) => !has.has(keyOf(xmlUrl)));
      const resources = [
        ...definition.resources,
        ...fresh.map(({ title, xmlUrl, folders }) => ({ name: title, type: KIND, url: xmlUrl, tags: [...folders] })),
      ];
      if (fresh.length > 0) await workflows.save(id, { definition: { ...definition, resources } }, by);
      return { workflow: name, added: fresh.map(({ xmlUrl }) => xmlUrl), known: listed.length - fresh.length };
    },

    async exportOpml(idOrName) {
      const { name, title, definition } = await workflows.get(idOrName);
      const feeds = definition.resources.flatMap(({ type, url, name: of, tags }) =>
        type === KIND && url !== undefined && /^https?:/.test(url)
          ? [{ title: of, xmlUrl: url, htmlUrl: null, folders: tags.slice(0, 1) }]
          : [],
      );
      return toOpml(title || name, feeds);
    },
  };
}

/** Two spellings of one address are one feed. */
const keyOf = (url: string): string => canonicalUrl(url) ?? url;
