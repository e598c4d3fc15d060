/** The way to the server that Lab comes from. */
import { URLExt } from "@jupyterlab/coreutils";
import type { ServerConnection } from "@jupyterlab/services";
import { type Socket, SocketTransport } from "../protocol/socket";

const PATH = "dipeo/ws";
const ENDED: Readonly<Record<number, string>> = {
  1008: "The server has ended the connection: too much was asked at once. Reload the page.",
  4401: "You are not logged in any more. Log in again, and reload the page.",
};
const AWAY = "The server cannot be reached; it is tried again.";
const MISSING =
  "The server does not know dipeo_jupyter. See `jupyter server extension list`, and restart it.";

export function addressOf(settings: ServerConnection.ISettings): string {
  const url = URLExt.join(settings.wsUrl, PATH);
  const { token, appendToken } = settings;
  return appendToken && token ? `${url}?token=${encodeURIComponent(token)}` : url;
}

/** `trouble` hears why the connection is lost, in words. */
export function transportTo(
  settings: ServerConnection.ISettings,
  trouble: (words: string) => void = () => {},
): SocketTransport {
  let met = false;
  return new SocketTransport(addressOf(settings), (url): Socket => {
    const socket = new settings.WebSocket(url);
    socket.addEventListener("open", () => {
      met = true;
    });
    socket.addEventListener("close", ({ code }) => {
      trouble(ENDED[code] ?? (met ? AWAY : MISSING));
    });
    return socket;
  });
}
