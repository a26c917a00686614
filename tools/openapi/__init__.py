"""The API's OpenAPI 3.1 document, made from the schemas and a table of operations when it is built."""
