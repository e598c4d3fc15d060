/** What can be done with a run whose kernel has ended. */
export function Gone({ id }: { id: string }) {
  return (
    <p className="dipeo-gone" role="note">
      The kernel of this run has ended; this is how it stood. <code>{`dipeo.attach("${id}")`}</code>{" "}
      shows how it stands, <code>{`dipeo.resume("${id}")`}</code> goes on with it.
    </p>
  );
}
