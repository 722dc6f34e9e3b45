// Where something stands in JSON text: the server names what is wrong by its path, such as
// `steps[1].actions[0].percentage_value`, and the editor shows that place.

export interface Place {
  start: number;
  end: number;
  /** From 1. */
  line: number;
}

/** `steps[1].actions` as `['steps', 1, 'actions']`. */
export function parts(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([word, index]) =>
    index === undefined ? word : Number(index),
  );
}

/** The place of the value at a path, or of the nearest that is there; null when the text is no JSON. */
export function locate(text: string, path: string): Place | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let [start, end] = value(text, blank(text, 0));
  for (const part of parts(path)) {
    const found = child(text, start, part);
    if (!found) break;
    [start, end] = found;
  }
  return { start, end, line: text.slice(0, start).split('\n').length };
}

function blank(text: string, at: number): number {
  while (/\s/.test(text[at] ?? '')) at += 1;
  return at;
}

/** Begin and end of the string that begins here. */
function quoted(text: string, at: number): [number, number] {
  let end = at + 1;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return [at, end + 1];
}

/** Begin and end of the value that begins here. */
function value(text: string, at: number): [number, number] {
  if (text[at] === '"') return quoted(text, at);
  if (text[at] !== '{' && text[at] !== '[') {
    let end = at;
    while (end < text.length && !/[\s,\]}]/.test(text[end] ?? '')) end += 1;
    return [at, end];
  }
  let depth = 0;
  let end = at;
  do {
    const sign = text[end] ?? '';
    if (sign === '"') {
      end = quoted(text, end)[1];
      continue;
    }
    if (sign === '{' || sign === '[') depth += 1;
    if (sign === '}' || sign === ']') depth -= 1;
    end += 1;
  } while (depth > 0);
  return [at, end];
}

function child(text: string, at: number, part: string | number): [number, number] | null {
  const isObject = text[at] === '{';
  if (!isObject && text[at] !== '[') return null;
  let here = blank(text, at + 1);
  for (let index = 0; text[here] !== '}' && text[here] !== ']'; index += 1) {
    let name: string | number = index;
    if (isObject) {
      const [begin, end] = quoted(text, here);
      name = JSON.parse(text.slice(begin, end)) as string;
      here = blank(text, blank(text, end) + 1);
    }
    const found = value(text, here);
    if (name === part) return found;
    here = blank(text, found[1]);
    if (text[here] === ',') here = blank(text, here + 1);
  }
  return null;
}
