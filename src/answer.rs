//! What an operation answered: nothing, one object, or rows that keep the server's own text.
