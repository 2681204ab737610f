"""The work after the answer: translate deliveries, dispatch commands, settle what became of them."""
