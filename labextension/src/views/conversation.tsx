/** Who said what to whom, and what each person can see of it. */
import { useState } from "react";
import { useRun } from "../execution/context";
import { useUnknown } from "./known";
import { MessageView, usePersons } from "./message";

export function Conversation() {
  const messages = useRun((state) => state.messages);
  const persons = usePersons();
  const [person, look] = useState<string | null>(null);
  const unknown = useUnknown(person);
  if (!messages.size) return <p className="dipeo-note">Nobody has said anything yet.</p>;
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
      {[...messages.values()].map((message) => (
        <MessageView
          key={message.id}
          message={message}
          forgotten={unknown.has(message.id)}
          note={unknown.get(message.id) ?? message.id.split(".")[0] ?? ""}
        />
      ))}
    </div>
  );
}
