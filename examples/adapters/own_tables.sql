CREATE TABLE product (ean TEXT PRIMARY KEY, title TEXT NOT NULL, weighed INTEGER NOT NULL, listed INTEGER NOT NULL);
CREATE TABLE branch (
    code TEXT PRIMARY KEY, street TEXT NOT NULL, hours TEXT NOT NULL, lat REAL, lon REAL,
    region TEXT NOT NULL, has_counter INTEGER NOT NULL
);
CREATE TABLE price (
    ean TEXT NOT NULL, region TEXT NOT NULL, cents INTEGER NOT NULL, vat_percent INTEGER NOT NULL,
    since INTEGER NOT NULL,  -- in seconds since 1970
    PRIMARY KEY (ean, region, since)
);
CREATE TABLE app_user (name TEXT PRIMARY KEY, device TEXT NOT NULL);
CREATE TABLE outbox (id TEXT PRIMARY KEY, device TEXT NOT NULL, text TEXT NOT NULL);

INSERT INTO product VALUES
    ('3800012345671', 'Oat milk 1 l', 0, 1), ('2012340000005', 'Apples', 1, 1), ('3800012345688', 'Soy milk 1 l', 0, 0);
INSERT INTO branch VALUES
    ('SOF01', 'Oborishte 12', 'Mo-Sa 08:00-21:00; PH off', 42.69, 23.34, 'west', 1),
    ('VAR01', 'Slivnitsa 3', '24/7', 43.21, 27.91, 'east', 1),
    ('VAR02', 'Depot', '24/7', 43.25, 27.85, 'east', 0);
INSERT INTO price VALUES
    ('3800012345671', 'west', 239, 20, 1700000000), ('3800012345671', 'west', 249, 20, 1790000000),
    ('3800012345671', 'east', 229, 20, 1700000000), ('3800012345671', 'east', 199, 20, 1900000000),
    ('2012340000005', 'west', 399, 20, 1700000000), ('2012340000005', 'east', 379, 20, 1700000000);
INSERT INTO app_user VALUES ('anna', 'device-of-anna');
