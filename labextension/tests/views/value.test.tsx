import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { costOf, shortNumber, shortTime, wholeTime } from "../../src/execution/usage";
import type { JsonValue } from "../../src/protocol/messages";
import { Markdown } from "../../src/views/markdown";
import { Picture } from "../../src/views/picture";
import { formsOf, Value } from "../../src/views/value";

const PIXEL = "data:image/png;base64,iVBORw0KGgo=";

test.each<[JsonValue, string[]]>([
  ["**words**", ["markdown", "text"]],
  ['{"a": 1}', ["tree", "text"]],
  ["{ not JSON }", ["markdown"]],
  ["1. one", ["markdown", "text"]],
  [PIXEL, ["image"]],
  [
    [{ a: 1 }, { a: 2, b: 3 }],
    ["table", "tree"],
  ],
  [[1, 2], ["tree"]],
  [{ a: 1 }, ["tree"]],
  [null, ["text"]],
  [0, ["text"]],
])("%j is shown as %j", (value, forms) => {
  expect(formsOf(value)).toEqual(forms);
});

test("people are told in whole seconds how long they are waited for", () => {
  expect([400, 12_900, 185_000].map(wholeTime)).toEqual(["0 s", "12 s", "3:05"]);
});

describe("what a model says", () => {
  test("keeps how far its lines are indented", () => {
    expect(shown("a\n  b")).toContain("a\n  b");
  });

  const shown = (text: string): string => renderToStaticMarkup(<Markdown text={text} />);

  test("is laid out as Markdown", () => {
    const html = shown("# T\n\n- *a* `b`\n\n| x |\n|---|\n| 1 |\n\n[c](https://d.example)");

    for (const part of ["<em>a</em>", "<code>b</code>", "<td>1</td>", 'href="https://d.example"']) {
      expect(html).toContain(part);
    }
  });

  test.each([
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[a](javascript:alert(1))",
    "![a](javascript:alert(1))",
    "<a href='javascript:alert(1)'>a</a>",
    "[a](data:text/html;base64,AAAA)",
    "<iframe srcdoc='x'>",
  ])("runs nothing in the page: %s", (text) => {
    expect(shown(text)).not.toMatch(/<(script|img|iframe|a)\b|javascript:[^<]*"/i);
  });

  test("keeps letters that mean something in HTML", () => {
    expect(shown("a < b && c > d")).toContain("a &lt; b &amp;&amp; c &gt; d");
  });
});

test("an image of another server is not fetched unasked", () => {
  const html = renderToStaticMarkup(<Picture url="https://spy.example/1.png" alt="chart" />);

  expect(html).toContain("Show the image");
  expect(html).not.toContain("<img");
  expect(renderToStaticMarkup(<Value value={PIXEL} name="p" />)).toContain(
    `<img class="dipeo-picture" src="${PIXEL}"`,
  );
});

test("numbers are short and money is exact", () => {
  expect([980, 1000, 12_345, 999_949, 4_500_000].map(shortNumber)).toEqual([
    "980",
    "1.0k",
    "12.3k",
    "1.0M",
    "4.5M",
  ]);
  expect([8, 999.6, 1200, 59_960, 185_000, 3_700_000].map(shortTime)).toEqual([
    "8 ms",
    "1.0 s",
    "1.2 s",
    "1:00",
    "3:05",
    "1:01:40",
  ]);
  expect(costOf({ nano_usd: 12_300_000 })).toBe("$0.0123");
  expect(costOf({ nano_usd: 12_300_000, unpriced: 1 })).toBe("≥ $0.0123");
  expect(costOf({ nano_usd: 5 })).toBe("$0.000000005");
});
