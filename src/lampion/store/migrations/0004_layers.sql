-- The layers of functions and versions: their code stays as long as one of those has it, also when a layer is deleted.

ALTER TABLE functions ADD COLUMN layer_code TEXT;

-- Partial and covering: the layers in use are read from the index alone, and most functions have none.
CREATE INDEX functions_layer_code ON functions (layer_code) WHERE layer_code IS NOT NULL;
