/** The style sheets of cards, which come with their scripts: each once, for all cards of a page. */
const WORN = Symbol.for("dipeo_jupyter.styles");
const page = globalThis as { [WORN]?: Set<string> };

/** Another notebook's kernel may have another version, with a sheet of its own. */
export function dress(styles: string): void {
  page[WORN] ??= new Set();
  if (page[WORN].has(styles)) return;
  page[WORN].add(styles);
  const sheet = document.createElement("style");
  sheet.textContent = styles;
  document.head.append(sheet);
}
