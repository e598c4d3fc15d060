/** Each person has a colour of their own, the same wherever they speak. */
const COLOURS = ["violet", "teal", "orange", "blue", "pink", "green", "amber"];

/** The class of a person's colour; `persons` are all there are, in the diagram's order. */
export function colourOf(person: string | null | undefined, persons: readonly string[]): string {
  const place = person == null ? -1 : persons.indexOf(person);
  return place < 0 ? "dipeo-grey" : `dipeo-${COLOURS[place % COLOURS.length]}`;
}
