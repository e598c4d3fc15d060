/** Markdown as elements of the page. HTML inside is shown as text: nothing that a model says is run. */
import { marked, type Token, type Tokens } from "marked";
import { Fragment, memo, type ReactNode } from "react";
import { linkOf, Picture } from "./picture";

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className="dipeo-markdown">{all(marked.lexer(text, { gfm: true, breaks: true }))}</div>
  );
});

function all(tokens: readonly Token[] | undefined): ReactNode[] {
  // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no names, and keep their places
  return (tokens ?? []).map((token, index) => <Fragment key={index}>{one(token)}</Fragment>);
}

function one(token: Token): ReactNode {
  switch (token.type) {
    case "heading":
      return <p className={`dipeo-h dipeo-h${token.depth}`}>{all(token.tokens)}</p>;
    case "paragraph":
      return <p>{all(token.tokens)}</p>;
    case "strong":
      return <strong>{all(token.tokens)}</strong>;
    case "em":
      return <em>{all(token.tokens)}</em>;
    case "del":
      return <del>{all(token.tokens)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "code":
      return <Code text={token.text} />;
    case "blockquote":
      return <blockquote>{all(token.tokens)}</blockquote>;
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "link":
      return link(token as Tokens.Link);
    case "image":
      return <Picture url={token.href} alt={token.text} />;
    case "hr":
      return <hr />;
    case "br":
      return token.raw.replace(/^[ \\]+/, ""); // how far the next line is indented is kept
    case "space":
    case "def":
      return null;
    default:
      return "tokens" in token && token.tokens ? all(token.tokens) : words(token);
  }
}

/** Entities are letters here; tags are not. */
function words(token: Token): string {
  return token.type === "html" || !("text" in token) ? token.raw : unescaped(String(token.text));
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (all, name: string) => ENTITIES[name] ?? all);
}

export function Code({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
  );
}

function list(token: Tokens.List): ReactNode {
  const items = token.items.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: items have no names
    <li key={index}>
      {item.task && (
        <input type="checkbox" checked={Boolean(item.checked)} disabled aria-label="done" />
      )}
      {all(item.tokens)}
    </li>
  ));
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function table(token: Tokens.Table): ReactNode {
  return (
    <table>
      <thead>
        <tr>{token.header.map((cell) => cellOf("th", cell))}</tr>
      </thead>
      <tbody>
        {token.rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no names
          <tr key={index}>{row.map((cell) => cellOf("td", cell))}</tr>
        ))}
      </tbody>
    </table>
  );
}

function cellOf(Cell: "th" | "td", cell: Tokens.TableCell): ReactNode {
  return <Cell key={cell.text}>{all(cell.tokens)}</Cell>;
}

function link(token: Tokens.Link): ReactNode {
  const url = linkOf(token.href);
  if (url === null) return all(token.tokens);
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow">
      {all(token.tokens)}
    </a>
  );
}
