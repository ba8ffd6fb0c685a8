import { wordsOf } from '#core/db/search/words';

const SHORTEST = 4;
const MOST = 12;

/** Words that say nothing of what a question is about, in the languages most written here; shorter ones are left out anyway. */
const SAY_NOTHING = new Set(
  `about after again also anything around back because been before being came cannot come could does doing done down during each else even ever every
  everything first from give going gone good have having hello help here into just keep kind know last later least less like list little look made make many
  maybe mean might more most much must need never next nothing only other over please really said same says seem shall should show since some something still
  such sure take tell than thank thanks that their them then there these they thing things think this those through time told under until upon very want well
  were what when where which while will with within without work would your yours yesterday today tomorrow
  aber alle allem allen alles also andere auch beim bist bitte dann dass dein deine dem den denn der diese diesem diesen dieser doch eine einem einen einer
  etwas fuer ganz haben hallo hast hatte hier ihnen immer jetzt kann kannst kein keine konnen mache machen mein meine mehr mich muss nach nicht noch nur oder
  schon sehr sein seine sich sind uber unser viel vielleicht wann warum weil welche wenn werden wieder wird wurde
  allora anche ancora anni avere come cosa cose dalla dalle dallo degli della delle dello dopo dove essere fare hanno loro meglio molto nella nelle niente
  ogni perche piu poco prima quale quando quanto quella quelle quello questa queste questo sempre senza sono stata stato sulla tutti tutto vorrei
  alors apres aussi autre avant avec avoir beaucoup bien bonjour cela cette ceux chez comme comment dans depuis deux dire donc elle elles encore entre etait
  etre faire fait leur mais meme moins notre nous parce pour pourquoi quand quel quelle quelque sans sera sont sous suis tous tout toute tres vous votre
  algo antes aunque cada como cuando cual cuanto desde donde ella ellos entonces esta estaba este esto estos gracias hacer hasta hola hoy mas mejor mismo
  mucho nada nosotros nunca otra otro para pero poco porque puede pueden quien siempre sobre solo tambien tanto tiene todas todo todos usted`.split(
    /\s+/,
  ),
);

/** The words of a question that tell what it is about, folded as the index has them, in their order. */
export function tellingWords(text: string): readonly string[] {
  const telling = wordsOf(text).filter((word) => (/^\p{ASCII}*$/u.test(word) ? isTelling(word) : word.length > 1));
  return [...new Set(telling)].slice(0, MOST);
}

/** Which of the words a text holds. */
export function shared(words: readonly string[], text: string): readonly string[] {
  const held = new Set(wordsOf(text));
  return words.filter((word) => held.has(word));
}

/** Whether a text that holds so many of the telling words is about the same. */
export function isAlike(held: number, asked: number): boolean {
  return held >= (asked > 2 ? 2 : 1);
}

function isTelling(word: string): boolean {
  return /\d/.test(word) ? word.length > 1 : word.length >= SHORTEST && !SAY_NOTHING.has(word);
}
