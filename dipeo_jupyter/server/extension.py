"""What Jupyter Server loads."""

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp


class DipeoApp(ExtensionApp):
    """Announces itself. The engine still runs in the kernel; it moves here with the WebSocket."""

    name = "dipeo_jupyter"
    load_other_extensions = True

    def initialize_settings(self) -> None:
        self.log.info("dipeo_jupyter is loaded; diagrams run in the kernel")
