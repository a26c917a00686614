"""The functions and layers as `sam build` leaves them: built, started by Lambda's runtime, packed."""
