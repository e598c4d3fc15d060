/** What the server makes of a diagram's text: where everything stands, and what is wrong. */
import type { DocumentRegistry } from "@jupyterlab/docregistry";
import { useEffect, useState } from "react";
import type { Layout } from "../../diagram/layout";
import type { Diagram, Problem } from "../../protocol/messages";
import type { IDipeo } from "../service";

export interface Drawing {
  readonly diagram: Diagram;
  readonly places: Layout;
  readonly problems: readonly Problem[];
}

export interface Drawn {
  readonly drawing: Drawing | null;
  /** Why nothing, or only something old, can be shown. */
  readonly trouble: string | null;
}

const SOON = 250;

/** The drawing of a document as it is now, saved or not. Nothing of it is run. */
export function useDrawing({ connection }: IDipeo, context: DocumentRegistry.Context): Drawn {
  const [drawn, set] = useState<Drawn>({ drawing: null, trouble: null });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let number = 0;
    const draw = async (): Promise<void> => {
      const mine = ++number;
      const drawing = connection.ask({ type: "draw_diagram", ...given(context) });
      const told = await drawing.then(
        ({ result }) => ({ drawing: result as unknown as Drawing, trouble: null }),
        (error: Error) => ({ trouble: error.message }),
      );
      if (mine === number) set((before) => ({ ...before, ...told }));
    };
    const drawSoon = (): void => {
      clearTimeout(timer);
      timer = setTimeout(draw, SOON);
    };
    void context.ready.then(draw);
    context.model.contentChanged.connect(drawSoon);
    return () => {
      number = Number.POSITIVE_INFINITY;
      clearTimeout(timer);
      context.model.contentChanged.disconnect(drawSoon);
    };
  }, [connection, context]);
  return drawn;
}

/** A document as the server is told of it. */
export function given(context: DocumentRegistry.Context) {
  const path = context.localPath;
  const cut = path.lastIndexOf("/");
  return {
    diagram: context.model.toString(),
    folder: path.slice(0, Math.max(0, cut)),
    file: path.slice(cut + 1),
  };
}
