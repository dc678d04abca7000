CREATE TABLE users (id integer PRIMARY KEY, name text, balance integer, created date);
INSERT INTO users VALUES (1, 'ann', 10, '2024-01-01'), (2, 'bob', 20, '2024-02-01'), (3, 'cyd', 30, '2025-01-01'),
  (4, 'dan', 40, '2025-02-01'), (5, 'eve', 50, '2026-01-01');
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer, total integer);
INSERT INTO orders VALUES (10, 1, 5), (11, 1, 6), (12, 2, 7), (13, 3, 8);
CREATE TABLE logs (id integer PRIMARY KEY, line text);
INSERT INTO logs VALUES (1, 'up'), (2, 'down'), (3, 'up');
CREATE VIEW rich AS SELECT * FROM users WHERE balance > 25;
CREATE INDEX orders_user ON orders (user_id);
