"""What nodes reach beyond the walls of their run."""

from __future__ import annotations

from .rule import Rule

RULES = (
    Rule(
        "runs_in_kernel",
        "hint",
        "A job runs in the notebook's own process: there is no sandbox around it.",
        "Run it only if you would run its code in a cell; else remove `kernel: true`.",
        """
        nodes:
        - {label: start, type: start}
        - {label: count, type: job, kernel: true, code: return len(rows)}
        connections:
        - {from: start, to: count}
        """,
    ),
    Rule(
        "missing_kernel",
        "warning",
        "A job is to run in the notebook's process, and there is no notebook.",
        "Run the diagram from a notebook, or remove `kernel: true`.",
        """
        nodes:
        - {label: start, type: start}
        - {label: count, type: job, kernel: true, code: return len(rows)}
        connections:
        - {from: start, to: count}
        """,
    ),
    Rule(
        "uses_network",
        "hint",
        "A node can send what it knows over the network: a request, or a job with `network: true`.",
        "Look at its code or its address, and at what arrives there, before you run it.",
        """
        nodes:
        - {label: start, type: start}
        - {label: fetch, type: job, language: bash, network: true, code: curl -s https://example.org}
        connections:
        - {from: start, to: fetch}
        """,
    ),
    Rule(
        "runs_shell",
        "hint",
        "A hook runs a command of the shell, in the sandbox.",
        "Look at the command, and at what arrives there, before you run it.",
        """
        nodes:
        - {label: start, type: start}
        - {label: tell, type: hook, command: echo done}
        connections:
        - {from: start, to: tell}
        """,
    ),
    Rule(
        "writes_files",
        "hint",
        "A file below the root is written, which may be there already.",
        "Look which it is. People are asked before one is written that may be executed later.",
        """
        nodes:
        - {label: start, type: start}
        - {label: save, type: endpoint, save_to_file: true, file_path: report.md}
        connections:
        - {from: start, to: save}
        """,
    ),
    Rule(
        "changes_notion",
        "hint",
        "Pages or blocks are made or changed in Notion, with your token.",
        "Look at which they are. In a diagram from a file, people are asked first.",
        """
        nodes:
        - {label: start, type: start}
        - label: note
          type: notion
          operation: append_blocks
          page_id: 0123456789abcdef0123456789abcdef
          blocks: [{divider: {}}]
        connections:
        - {from: start, to: note}
        """,
    ),
    Rule(
        "uses_database",
        "hint",
        "Rows of a database are changed, or a database is asked that the configuration names.",
        "Look at what is done there. In a diagram from a file, people are asked first, unless it "
        "is the usual database.",
        """
        nodes:
        - {label: start, type: start, custom_data: {city: Oslo}}
        - {label: keep, type: db, operation: insert, collection: cities, database: sales}
        connections:
        - {from: start, to: keep}
        """,
    ),
    Rule(
        "uses_mcp_server",
        "hint",
        "A model may use the tools of an MCP server, which runs as you, in no sandbox.",
        "Look at what .mcp.json says of it, and at the tools that it offers.",
        """
        nodes:
        - {label: start, type: start}
        - {label: ask, type: person_job, person: Ann, prompt: Hello, tools: ["mcp:files"]}
        connections:
        - {from: start, to: ask}
        persons:
          Ann: {service: demo}
        """,
    ),
)
