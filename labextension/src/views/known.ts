/** What a person knows of a conversation now, and why they do not know the rest. */
import { useEffect, useState } from "react";
import { useRun, useRunView } from "../execution/context";
import { firings } from "../execution/derive";
import type { RunState } from "../execution/state";
import type { Said } from "../protocol/messages";

/** By the ids of messages that the person does not know: why not. */
export type Unknown = ReadonlyMap<string, string>;

const NEVER = "not seen";
/** Milliseconds without a new message, until the engine is asked: it goes through the whole run. */
const CALM = 300;

/** As the engine tells it; as far as it can be told here while it does not answer. */
export function useUnknown(person: string | null): Unknown {
  const { ask } = useRunView();
  const state = useRun((whole) => whole);
  const { size } = state.messages;
  const [told, set] = useState<readonly Said[] | null>(null);
  useEffect(() => {
    if (person === null || ask === null || !size) return;
    let wanted = true;
    const timer = setTimeout(() => {
      ask({ type: "get_conversation" }).then(
        ({ result }) => wanted && set(result as unknown as Said[]),
        () => wanted && set(null),
      );
    }, CALM);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [ask, person, size]);
  if (person === null) return new Map();
  return told?.length === size ? asTold(told, person) : unknownTo(state, person);
}

export function asTold(said: readonly Said[], person: string): Unknown {
  const unknown = said.filter((each) => !each.seen_by?.includes(person));
  return new Map(
    unknown.map(({ message, forgotten }) => {
      const since = forgotten?.[person];
      return [message.id, since === undefined ? NEVER : `forgotten in ${since}`];
    }),
  );
}

/** A person knows what they were shown in their last turn, and what they have said then. */
export function unknownTo(state: RunState, person: string): Unknown {
  const turns = firings(state).filter((each) => each.person === person);
  const known = turns.map((each) => new Set([...each.seen, ...each.said]));
  const now = known.at(-1);
  const unknown = [...state.messages.keys()].filter((id) => !now?.has(id));
  return new Map(
    unknown.map((id) => [id, known.some((each) => each.has(id)) ? "forgotten" : NEVER]),
  );
}
