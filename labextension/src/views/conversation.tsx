/** Who said what to whom, and what each person can see of it. */
import { useState } from "react";
import { useRun } from "../execution/context";
import { firings } from "../execution/derive";
import type { RunState } from "../execution/state";
import { MessageView, usePersons } from "./message";

export function Conversation() {
  const state = useRun((whole) => whole);
  const persons = usePersons();
  const [person, look] = useState<string | null>(null);
  const messages = [...state.messages.values()];
  if (!messages.length) return <p className="dipeo-note">Nobody has said anything yet.</p>;
  const known = person === null ? null : knownBy(state, person);
  return (
    <div className="dipeo-conversation">
      <label className="dipeo-eyes">
        As seen by{" "}
        <select value={person ?? ""} onChange={(event) => look(event.currentTarget.value || null)}>
          <option value="">everybody</option>
          {persons.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      {messages.map((message) => (
        <MessageView
          key={message.id}
          message={message}
          forgotten={known !== null && !known.has(message.id)}
          note={message.id.split(".")[0] ?? ""}
        />
      ))}
    </div>
  );
}

/** What a person was shown in its last turn, or has said then. */
export function knownBy(state: RunState, person: string): Set<string> {
  const last = firings(state).findLast((each) => each.person === person);
  return new Set([...(last?.seen ?? []), ...(last?.said ?? [])]);
}
