import { skill } from '#skill';

interface Config {
  readonly greeting: string;
}

// `input` and `config` were checked by the schemas of skill.json. `context` is all that is within reach: fetch, llm, memory, notify,
// effect, call, setting, log; each needs its grant in skill.json.
export default skill<string | null, Config>({
  async run({ input, config, context }) {
    if (input === null || input.trim() === '') return { outcome: 'on_empty', output: { text: '' } };
    context.log.info('greeting');
    return { outcome: 'on_success', output: { text: `${config.greeting}, ${input}!` } };
  },
});
