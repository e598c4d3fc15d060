/** What calls to models took: sums, and how people read them. */
import type { Usage } from "../protocol/messages";
import { NO_USAGE } from "./state";

const NAMES = Object.keys(NO_USAGE) as (keyof Usage)[];

export function plus(left: Usage, right: Usage, sign: 1 | -1 = 1): Required<Usage> {
  const sum = { ...NO_USAGE };
  for (const name of NAMES) sum[name] = (left[name] ?? 0) + sign * (right[name] ?? 0);
  return sum;
}

export function tokensOf(usage: Usage): number {
  return (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
}

/** `$0.0123`, or `≥ $0.0123` when a price is not known. */
export function costOf(usage: Usage): string {
  const usd = (usage.nano_usd ?? 0) / 1e9;
  const digits = usd === 0 || usd >= 1 ? 2 : usd >= 0.0001 ? 4 : 9;
  return `${usage.unpriced ? "≥ " : ""}$${usd.toFixed(digits)}`;
}

/** `980`, `12.3k`, `4.5M` */
export function shortNumber(count: number): string {
  if (count < 1000) return String(count);
  const [scaled, unit] = count < 999_500 ? [count / 1e3, "k"] : [count / 1e6, "M"];
  return `${scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)}${unit}`;
}

/** `12 s`, `3:05`: for what people wait for. */
export function wholeTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : shortTime(seconds * 1000);
}

/** `8 ms`, `1.2 s`, `3:05` */
export function shortTime(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
