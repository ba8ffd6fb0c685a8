/** Elements that hold the whole page: a style that hides these only waits for a script. */
const WHOLE = /^(?:html|body|main|article|#root|#app|#__next)$/i;
const MOST_SELECTORS = 300;
const LONGEST_SHEET = 500_000;
/** Farther than this nobody scrolls. */
const FAR = -500;

/** Whether an inline style keeps an element from a reader's eyes. */
export function hidesFromView(style: string): boolean {
  const of = new Map<string, string>();
  for (const declaration of style.slice(0, 4_000).split(';')) {
    const colon = declaration.indexOf(':');
    if (colon > 0)
      of.set(
        declaration.slice(0, colon).trim().toLowerCase(),
        declaration
          .slice(colon + 1)
          .replace(/!important/i, '')
          .trim()
          .toLowerCase(),
      );
  }
  const value = (name: string): string => of.get(name) ?? '';
  const number = (name: string): number => Number.parseFloat(value(name));
  if (value('display') === 'none' || /^(?:hidden|collapse)$/.test(value('visibility'))) return true;
  if (number('opacity') <= 0.05) return true;
  if (of.has('font-size') && number('font-size') <= 1 && /^[\d.]+(?:px|pt|%)?$/.test(value('font-size'))) return true;
  if (isInvisible(value('color'), value('background-color') || value('background'))) return true;
  if (number('text-indent') <= FAR) return true;
  if (
    /^(?:absolute|fixed|relative)$/.test(value('position')) &&
    ['left', 'top', 'right', 'bottom', 'margin-left'].some((side) => number(side) <= FAR)
  )
    return true;
  if (/^rect\((?:[01](?:px)?[, )]){1,}/.test(value('clip')) || /^(?:inset\((?:50|100)%|circle\(0)/.test(value('clip-path'))) return true;
  if (/scale\(0(?:\.0+)?[,)]/.test(value('transform'))) return true;
  const isFlat = ['height', 'width', 'max-height', 'max-width'].some(
    (side) => of.has(side) && number(side) <= 1 && /^[\d.]+(?:px)?$/.test(value(side)),
  );
  return isFlat && /^(?:hidden|clip)$/.test(value('overflow'));
}

function isInvisible(color: string, background: string): boolean {
  if (color === 'transparent' || /^(?:rgba|hsla)\([^)]*,\s*0(?:\.0+)?\)$/.test(color)) return true;
  return color !== '' && plainColor(color) === plainColor(background.replaceAll(/,\s+/g, ',').split(' ')[0] ?? '');
}

/** White in its four usual spellings is one colour, and so is black. */
function plainColor(color: string): string {
  const hex = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/.exec(color);
  const long = hex ? `#${hex[1]}${hex[1]}${hex[2]}${hex[2]}${hex[3]}${hex[3]}` : color.replaceAll(' ', '');
  return { white: '#ffffff', 'rgb(255,255,255)': '#ffffff', black: '#000000', 'rgb(0,0,0)': '#000000' }[long] ?? long;
}

/**
 * Selectors under which a style sheet hides elements for good: rules at its top level, without states (`:hover`) and without those that
 * hide the whole page. Rules for some screens only do not count.
 */
export function hidingSelectors(sheet: string): string[] {
  const selectors: string[] = [];
  const css = withoutComments(sheet.slice(0, LONGEST_SHEET));
  let depth = 0;
  let start = 0;
  let head = '';
  for (let at = 0; at < css.length && selectors.length < MOST_SELECTORS; at += 1) {
    const char = css[at];
    if (char === '{') {
      if (depth === 0) head = css.slice(start, at);
      depth += 1;
      start = at + 1;
    } else if (char === '}') {
      depth = Math.max(0, depth - 1);
      if (depth === 0 && !head.includes('@') && hidesFromView(css.slice(start, at)))
        selectors.push(
          ...head
            .split(',')
            .map((it) => it.trim())
            .filter((it) => /^[\w#.\s>*[\]="'-]{2,200}$/.test(it) && !it.split(/[\s>]+/).some((part) => WHOLE.test(part))),
        );
      start = at + 1;
    } else if (char === ';' && depth === 0) start = at + 1;
  }
  return selectors.slice(0, MOST_SELECTORS);
}

function withoutComments(css: string): string {
  let text = '';
  let at = 0;
  for (;;) {
    const open = css.indexOf('/*', at);
    if (open === -1) return text + css.slice(at);
    text += css.slice(at, open);
    const close = css.indexOf('*/', open + 2);
    if (close === -1) return text;
    at = close + 2;
  }
}
