"""SALESmanago over HTTP: the only home of requests. Knows nothing of the store and of translation."""
