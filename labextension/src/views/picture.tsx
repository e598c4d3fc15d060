/** Images and links from answers: only such that cannot run anything, and load nothing unasked. */
import { useState } from "react";

const DRAWN = /^data:image\/(png|jpeg|gif|webp|avif);base64,/i;

/** Whether it is an image that is there already, and no address of one. */
export function isDrawn(text: string): boolean {
  return DRAWN.test(text);
}

/** The address of a link when it leads somewhere harmless, else null. */
export function linkOf(text: string): string | null {
  return /^(https?:|mailto:)/i.test(text) ? text : null;
}

/** An image; one of another server is fetched only when people want it, for that tells on them. */
export function Picture({ url, alt }: { url: string; alt: string }) {
  const [wanted, want] = useState(false);
  const shown = isDrawn(url) || (wanted && linkOf(url) !== null);
  if (shown) return <img className="dipeo-picture" src={url} alt={alt} />;
  if (linkOf(url) === null) return <span>{alt || "image"}</span>;
  return (
    <button type="button" className="dipeo-link" title={url} onClick={() => want(true)}>
      Show the image {alt && `“${alt}”`}
    </button>
  );
}
