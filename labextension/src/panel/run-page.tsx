/** The page of a run: the same view as below a notebook's cell, as high as the page. */
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Layout } from "../diagram/layout";
import type { RunCommand } from "../execution/context";
import { RunStore } from "../execution/store";
import type { Command, Diagram, JsonValue } from "../protocol/messages";
import { RunView } from "../views/run";
import type { IDipeo } from "./service";

export function RunPage({ dipeo, id }: { dipeo: IDipeo; id: string }) {
  const { connection, trans } = dipeo;
  const store = useMemo(() => new RunStore(), []);
  const [problem, tell] = useState<string | null>(null);
  useEffect(() => {
    const stop = connection.follow(id, 0, store.take, store.rest);
    connection.ask({ type: "get_execution", execution_id: id }).catch((error: Error) => {
      tell(error.message);
    });
    return stop;
  }, [connection, id, store]);
  const diagram = useSyncExternalStore(store.subscribe, () => store.get().diagram);
  const layout = useLayout(dipeo, diagram);
  const ask = useMemo(
    () => (command: RunCommand) => connection.ask({ ...command, execution_id: id } as Command),
    [connection, id],
  );
  const away = useSyncExternalStore(dipeo.runs.subscribe, () => dipeo.runs.get().problem);
  if (problem !== null) return <p className="dipeo-told is-wrong">{problem}</p>;
  if (diagram === null || layout === undefined)
    return <p className="dipeo-told">{trans.__("Reading the run…")}</p>;
  return (
    <>
      {away !== null && (
        <p className="dipeo-told is-wrong" role="alert">
          {away}
        </p>
      )}
      <RunView store={store} ask={ask} layout={layout} fill />
    </>
  );
}

/** Where the server's own pictures have everything; null when it does not tell. */
function useLayout({ connection }: IDipeo, diagram: Diagram | null): Layout | null | undefined {
  const [layout, set] = useState<Layout | null>();
  useEffect(() => {
    if (diagram === null) return;
    const given = diagram as unknown as { [key: string]: JsonValue };
    connection.ask({ type: "draw_diagram", diagram: given }).then(
      ({ result }) => set((result as unknown as { places: Layout }).places),
      () => set(null), // it is laid out here then
    );
  }, [connection, diagram]);
  return layout;
}
