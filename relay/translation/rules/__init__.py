"""The rules: what each kind of record means for SALESmanago, given what is remembered."""
