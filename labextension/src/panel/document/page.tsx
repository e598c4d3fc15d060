/** A diagram file as a picture, with what is wrong with it. */
import type { DocumentRegistry } from "@jupyterlab/docregistry";
import { useCallback, useMemo, useState } from "react";
import { Place } from "../../diagram/place";
import { SelectionContext } from "../../diagram/selection";
import { RunContext } from "../../execution/context";
import { RunStore } from "../../execution/store";
import type { IDipeo } from "../service";
import { type Drawing, useDrawing } from "./drawing";
import { Problems } from "./problems";
import { NodeSettings } from "./settings";

interface PageProps {
  readonly dipeo: IDipeo;
  readonly context: DocumentRegistry.Context;
  /** Show a line of the text. */
  readonly goTo: (line: number) => void;
}

export function DiagramPage({ dipeo, context, goTo }: PageProps) {
  const { drawing, trouble } = useDrawing(dipeo, context);
  const { trans } = dipeo;
  return (
    <div className="dipeo-run is-filling">
      {trouble !== null && (
        <p className="dipeo-told is-wrong" role="alert">
          {trouble}
        </p>
      )}
      {drawing === null && trouble === null && (
        <p className="dipeo-told">{trans.__("Reading the diagram…")}</p>
      )}
      {drawing !== null && <Picture drawing={drawing} dipeo={dipeo} goTo={goTo} />}
    </div>
  );
}

interface PictureProps extends Pick<PageProps, "dipeo" | "goTo"> {
  readonly drawing: Drawing;
}

function Picture({ drawing, dipeo, goTo }: PictureProps) {
  const { diagram, places, problems } = drawing;
  const nodes = diagram.nodes ?? [];
  const [selected, select] = useState<string | null>(null);
  const selection = useMemo(() => ({ selected, select, toggleBreakpoint: null }), [selected]);
  const view = useMemo(() => ({ store: new RunStore([], diagram), ask: null }), [diagram]);
  const node = nodes.find((each) => each.label === selected);
  const close = useCallback(() => select(null), []);
  return (
    <RunContext.Provider value={view}>
      <SelectionContext.Provider value={selection}>
        {nodes.length > 0 ? (
          <Place key={shapeOf(drawing)} diagram={diagram} layout={places} fill />
        ) : (
          <p className="dipeo-told">{dipeo.trans.__("There is no node in this diagram yet.")}</p>
        )}
        {node && <NodeSettings node={node} close={close} />}
        <Problems problems={problems} trans={dipeo.trans} select={select} goTo={goTo} />
      </SelectionContext.Provider>
    </RunContext.Provider>
  );
}

/** A picture of another size is looked at anew, from where all of it can be seen. */
function shapeOf({ places }: Drawing): string {
  return `${places.width} ${places.height}`;
}
