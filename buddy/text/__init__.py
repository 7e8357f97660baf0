"""From records to token ids: the layouts, the tokenizer, the batches."""
