/** A run as a notebook has kept it; where it is still known to the server, it goes on from there. */
import { useEffect, useMemo, useState } from "react";
import type { RunCommand } from "../execution/context";
import { isOver } from "../execution/state";
import { RunStore } from "../execution/store";
import type { Connection } from "../protocol/connection";
import type { Command } from "../protocol/messages";
import { Gone } from "../views/gone";
import { RunView } from "../views/run";
import type { Kept } from "./kept";

interface KeptRunProps {
  readonly kept: Kept;
  /** Null for what must not be more than looked at. */
  readonly connection: Connection | null;
}

export function KeptRun({ kept, connection }: KeptRunProps) {
  const store = useMemo(() => new RunStore(kept.entries, kept.diagram), [kept]);
  const known = useKnown(store, kept.execution_id, connection);
  const ask = useMemo(() => {
    if (!known || connection === null) return null;
    const { execution_id } = kept;
    return (command: RunCommand) => connection.ask({ ...command, execution_id } as Command);
  }, [known, connection, kept]);
  return (
    <>
      {known === false && <Gone id={kept.execution_id} />}
      <RunView store={store} ask={ask} layout={kept.places} />
    </>
  );
}

/** Whether the server has the run, which is followed then; undefined while that is not known. */
function useKnown(
  store: RunStore,
  execution_id: string,
  connection: Connection | null,
): boolean | undefined {
  const [known, tell] = useState<boolean>();
  useEffect(() => {
    if (connection === null || isOver(store.get())) return;
    let stop = (): void => {};
    let left = false;
    connection.ask({ type: "get_execution", execution_id }).then(
      () => {
        if (left) return;
        stop = connection.follow(execution_id, store.get().seq, store.take, store.rest);
        tell(true);
      },
      () => {
        if (!left) tell(false);
      },
    );
    return () => {
      left = true;
      stop();
    };
  }, [store, execution_id, connection]);
  return known;
}
