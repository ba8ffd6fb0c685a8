import type { Preset } from '../contract.ts';

/** Tasks that a list of sentences picked from the text would only pretend to do. */
const needsModel = { withoutModel: 'fail' } as const;

/** Prompts to begin with; the owner changes them as they like. */
export const presets: Readonly<Record<string, Preset>> = {
  Summarize: {
    prompt:
      'Summarise this in three to five sentences. Keep names, numbers and dates; leave out what a reader would not miss.\n\n{{ input }}',
  },
  'Bullet points': { prompt: 'List the main points of this, one line each, the most important first, at most ten.\n\n{{ input }}' },
  'Morning briefing': {
    prompt: `Write the owner's morning briefing for {{ today }} from these items.

Begin with two sentences that say what matters most today. Then group the items under short headings by subject, the most important group first. For each item: one line with its headline as a Markdown link to its address, the source in brackets, and one sentence on what happened and why it matters to the reader. Tell what several sources report only once and name them all. Say nothing that the items do not say. Close with at most three items worth reading in full, if there are any.

{{ input }}`,
    config: { maxOutputTokens: 3_000 },
  },
  'Security review': {
    prompt: `Review this change for security.

Answer in this form:
**Risk:** none, low, medium, high or critical
**Findings:** one entry each: where (file and line), what is wrong, how it could be used, how sure you are
**Summary:** two sentences
**Recommendation:** merge, merge after changes, or do not merge, and why

Report only what the text shows. If you find nothing, say so.

{{ input }}`,
    config: needsModel,
  },
  'Code review': {
    prompt:
      'Review this code as a careful colleague: bugs first, then unclear names and structure, missing tests and error handling last. Give file and line and a concrete change for each. Praise nothing; say so if it is fine.\n\n{{ input }}',
    config: needsModel,
  },
  Translate: {
    prompt: 'Translate this into English. Keep the formatting, names, numbers and links; translate nothing inside code.\n\n{{ input }}',
    config: needsModel,
  },
  Classify: { prompt: 'Is the tone of this positive, negative or neutral? Answer with that one word.\n\n{{ input }}', config: needsModel },
  'Extract JSON': {
    prompt: 'Take these facts from the text. Use null or an empty list for what it does not say; invent nothing.\n\n{{ input }}',
    config: {
      format: 'json',
      schema: {
        type: 'object',
        properties: {
          title: { type: ['string', 'null'] },
          date: { type: ['string', 'null'], description: 'ISO 8601' },
          people: { type: 'array', items: { type: 'string' } },
          organisations: { type: 'array', items: { type: 'string' } },
          places: { type: 'array', items: { type: 'string' } },
          facts: { type: 'array', items: { type: 'string' }, description: 'One sentence each' },
        },
        required: ['title', 'date', 'people', 'organisations', 'places', 'facts'],
        additionalProperties: false,
      },
      ...needsModel,
    },
  },
  Changelog: {
    prompt:
      'Write release notes from these changes, for users: under Added, Changed, Fixed and Removed, one line each in plain words. Leave out what users do not notice, and headings without entries.\n\n{{ input }}',
    config: needsModel,
  },
  Explain: {
    prompt:
      'Explain this to someone clever who does not know the field: what it is, how it works, why it matters. Short sentences; an example where it helps.\n\n{{ input }}',
    config: needsModel,
  },
  Filter: {
    prompt:
      'If this concerns anything the owner should know or act on, answer with those parts only, unchanged. If nothing does, answer with the single word SKIP.\n\n{{ input }}',
    config: needsModel,
  },
  'Action items': {
    prompt:
      'List what someone has to do according to this: one line each with who, what and until when, as far as it is said. If there is nothing to do, say so in one line.\n\n{{ input }}',
    config: needsModel,
  },
};
