"""What people and machines read: tables, Markdown, CSV, JSON, charts. Nothing is computed here, only shown."""
