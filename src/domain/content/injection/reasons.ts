const MOST_REASONS = 4;
const LEAST_SCORE = 0.2;

/** What a feature means, for a person. Pairs are told by their parts. */
const MEANINGS: Readonly<Record<string, string>> = {
  override: 'says to drop or ignore something',
  prior: 'speaks of what was said before',
  instruction: 'speaks of instructions or rules',
  model: 'speaks to or of an assistant or model',
  answer: 'speaks of the answer to be given',
  p_your_answer: 'wants to change the reader’s answer',
  act: 'asks for an act: send, delete, open, run',
  reveal: 'asks to reveal something',
  secret: 'asks about passwords, keys or other secrets',
  person: 'asks for personal data',
  persona: 'asks to play another part',
  p_character: 'asks to play another part',
  p_from_now: 'says what the reader is from now on',
  p_system_prompt: 'speaks of the system prompt or the conversation',
  limits: 'speaks of lifting restrictions',
  suppose: 'sets up an imagined scene',
  must: 'presses: must, always, immediately',
  hide: 'asks for secrecy',
  p_hide: 'asks not to mention it',
  instead: 'puts another task in place of the first',
  task: 'sets a task',
  p_before_task: 'sets a task of its own',
  p_important: 'claims authority or importance',
  system: 'claims to be the system or an administrator',
  code: 'speaks of running code',
  m_code: 'holds code that acts on the machine',
  p_code_use: 'wants foreign code used',
  encode: 'asks for encoding or decoding',
  receive: 'names an attacker',
  m_chat: 'holds marks of a chat format',
  m_tag: 'holds tags of a prompt',
  m_role: 'plays another speaker',
  m_exfil: 'holds an address that would carry data out',
  m_fill: 'holds a placeholder of a prompt template',
  bidding: 'is an order in the middle of data',
  x_hidden: 'is hidden in invisible characters',
  x_letters: 'is spelt in invisible characters',
  x_comment: 'stands in a comment',
  x_style: 'is hidden by its style',
  x_base64: 'is encoded in base64',
  x_rot13: 'is encoded in ROT13',
  x_homoglyph: 'mixes letters of several alphabets in one word',
  x_leet: 'writes digits for letters',
};

/** Why, the weightiest first; nothing for a text that is not suspected. */
export function reasonsOf(features: ReadonlySet<string>, weights: ReadonlyMap<string, number>, score: number): string[] {
  if (score < LEAST_SCORE) return [];
  const said = new Map<string, number>();
  for (const name of features) {
    const weight = weights.get(name) ?? 0;
    if (weight <= 0 || name[1] === ':') continue;
    for (const part of name.split('+')) {
      const meaning = MEANINGS[part];
      if (meaning) said.set(meaning, (said.get(meaning) ?? 0) + weight);
    }
  }
  const reasons = [...said].toSorted((a, b) => b[1] - a[1]).map(([meaning]) => meaning);
  return reasons.length > 0 ? reasons.slice(0, MOST_REASONS) : ['reads like an order to a model'];
}
