"""From text to graph. Each package imports only those before it: `yaml`, `expressions`, `language`, `elaborate`."""
