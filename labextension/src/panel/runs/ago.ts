/** How long ago something was, in the words of the page's language. */
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];
const A_WEEK = 7 * 86_400_000;

export function ago(then: number, now: number, language?: string): string {
  const passed = Math.max(0, now - then);
  if (passed > A_WEEK) return new Date(then).toLocaleDateString(language);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "narrow" });
  for (const [unit, length] of STEPS) {
    if (passed >= length) return format.format(-Math.floor(passed / length), unit);
  }
  return format.format(0, "second");
}
