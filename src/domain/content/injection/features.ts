import { conceptsOf, wordsIn, type Lexicon } from './words.ts';

/** Marks by which a text plays another part of the conversation: of chat formats, tool results, mails inside mails. Each is found in one pass. */
const MARKS: readonly (readonly [string, RegExp])[] = [
  [
    'm_chat',
    /<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)|\[\/?INST\]|<<\/?SYS>>|\[system\]|###\s?(?:instruction|system|response)/i,
  ],
  [
    'm_tag',
    /<\/?(?:system|information|instructions?|important|admin|assistant|user|tool_result|tool_response|function_results?|context|untrusted)\b[^<>]{0,40}>/i,
  ],
  ['m_role', /(?:^|\n)\s{0,8}(?:human|assistant|system|user|ai|ai-reviewer|ai assistant|ai agents?)\s?:/i],
  [
    'm_code',
    /subprocess|os\.system|\bpopen\b|curl \S{4,80} ?\| ?(?:ba)?sh|rm -rf|shell=true|pynput|pyautogui|keylogger|\beval\(|socket\.(?:socket|create)/i,
  ],
  ['m_exfil', /!\[[^\]\n]{0,80}\]\([^)\n]{0,200}[?&][^)\n]{0,80}=[^)\n]{0,80}(?:\{|%7b|\$)|https?:\/\/[^\s?]{3,100}\?[^\s=]{1,30}=\{/i],
  ['m_url', /https?:\/\/|www\./i],
  ['m_mail', /[\w.+-]{1,40}@[\w-]{1,40}\.[a-z]{2,}/i],
  ['m_fill', /\[(?:insert|your)? ?prompt[^\]\n]{0,20}\]|\{\{[^}\n]{0,40}\}\}/i],
  ['m_shout', /\b[A-Z]{4,}\b[^a-z]{0,3}\b[A-Z]{4,}\b/],
  ['m_quote', /["“”'‘’`]/],
  ['m_question', /[?？]/],
  ['m_fence', /```|<code>/],
];

/** How a text was disguised, for the units that hold it. */
export type Disguise = 'x_hidden' | 'x_comment' | 'x_style' | 'x_base64' | 'x_rot13' | 'x_letters';

/** Concepts that say more together than each alone. */
const PAIRED = [
  'override',
  'prior',
  'instruction',
  'model',
  'answer',
  'say',
  'act',
  'reveal',
  'secret',
  'persona',
  'limits',
  'must',
  'instead',
  'task',
  'encode',
  'p_your_answer',
  'm_mail',
  'm_url',
  'm_code',
  'p_code_use',
  'suppose',
  'person',
  'address',
  'c_many',
  'c_table',
  'c_edge',
  'bidding',
  'm_question',
  'm_fence',
  'system',
];

/** Names of the features of one unit of text; each counts once. */
export function featuresOf(lexicon: Lexicon, unit: string, around: readonly string[] = []): Set<string> {
  const features = new Set<string>(around);
  const add = (name: string): void => void features.add(name);
  const { words, masked } = wordsIn(unit);
  for (const how of masked) add(`x_${how}`);
  let before = '';
  let beforeThat = '';
  for (const [at, word] of words.entries()) {
    conceptsOf(lexicon, word, add);
    lexicon.phrases.get(`${before} ${word}`)?.forEach(add);
    lexicon.phrases.get(`${beforeThat} ${before} ${word}`)?.forEach(add);
    lexicon.whole.get(word)?.forEach((concept) => at === 0 && add(`first_${concept}`));
    if (word.length < 20) {
      add(`w:${word}`);
      if (before && before.length < 20) add(`b:${before} ${word}`);
      if (at === 0) add(`f:${word}`);
    }
    if (at === 0 && lexicon.verbs.has(word)) add('first_verb');
    beforeThat = before;
    before = word;
  }
  for (const [name, mark] of MARKS) if (mark.test(unit)) add(name);
  if (words.length > 3 && features.has('first_verb')) add('bidding');
  const present = PAIRED.filter((it) => features.has(it));
  for (const [at, one] of present.entries()) for (const other of present.slice(at + 1)) add(`${one}+${other}`);
  if (words.length < 4) add('short');
  if (words.length > 40) add('long');
  return features;
}
