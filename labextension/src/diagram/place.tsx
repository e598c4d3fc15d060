/** The room that a diagram has in its page. */
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { Diagram } from "../protocol/messages";
import { Canvas } from "./canvas";
import { type Layout, layoutOf } from "./layout";
import { heightFor } from "./viewport";

interface PlaceProps {
  readonly diagram: Diagram;
  readonly layout: Layout | null;
  /** Whether the page says how high it is; else the diagram does. */
  readonly fill?: boolean;
}

const USUAL_WIDTH = 800;

export function Place({ diagram, layout: made, fill = false }: PlaceProps) {
  const layout = useMemo(() => layoutOf(diagram, made), [diagram, made]);
  const place = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(place);
  const wanted = heightFor(layout, width || USUAL_WIDTH);
  return (
    <div className="dipeo-picture-place" ref={place} style={fill ? undefined : { height: wanted }}>
      {width > 0 && (
        <Canvas diagram={diagram} layout={layout} width={width} height={fill ? height : wanted} />
      )}
    </div>
  );
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The room that there is; none while nobody sees it. */
function useSize(place: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return size;
}
