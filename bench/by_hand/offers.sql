-- Which stores can give a basket, how far they are, what it costs there, and the first slot with room: one statement.
WITH wanted AS (
    SELECT sku, sum(quantity)::bigint AS units FROM omniorder_cart_line WHERE cart_id = %(cart)s GROUP BY sku
),
covered AS (
    SELECT s.store_id,
           count(*) FILTER (WHERE l.on_hand - l.reserved - l.safety >= w.units) AS there,
           count(*) AS articles,
           json_agg(json_build_object('sku', w.sku, 'available', greatest(0, l.on_hand - l.reserved - l.safety)))
               FILTER (WHERE coalesce(l.on_hand - l.reserved - l.safety, 0) < w.units) AS short,
           sum((2 * coalesce(own.amount, usual.amount) * w.units + coalesce(own.per, usual.per))
               / (2 * coalesce(own.per, usual.per))) AS total
    FROM omniorder_store s
    CROSS JOIN wanted w
    LEFT JOIN omniorder_stock l ON l.store_id = s.store_id AND l.sku = w.sku
    LEFT JOIN omniorder_price own ON own.sku = w.sku AND own.store_id = s.store_id AND own.channel = ''
    LEFT JOIN omniorder_price usual ON usual.sku = w.sku AND usual.store_id = '' AND usual.channel = ''
    WHERE s.services <> 'ship_to_store'
    GROUP BY s.store_id
),
free AS (
    SELECT c.store_id, min(c.starts_at) AS starts_at
    FROM slot_calendar c
    JOIN omniorder_store s USING (store_id)
    LEFT JOIN omniorder_slot b ON b.store_id = c.store_id AND b.slot = c.slot
    WHERE c.starts_at >= now() + s.lead * interval '1 second' AND coalesce(b.booked, 0) < s.slot_capacity
    GROUP BY c.store_id
)
SELECT v.store_id, v.there = v.articles AND f.starts_at IS NOT NULL AS complete, v.there, v.short, v.total, f.starts_at,
       2 * 6371.0088 * asin(sqrt(least(1,
           sin(radians(s.lat - %(lat)s) / 2) ^ 2
           + cos(radians(%(lat)s)) * cos(radians(s.lat)) * sin(radians(s.lon - %(lon)s) / 2) ^ 2))) AS distance
FROM covered v
JOIN omniorder_store s USING (store_id)
LEFT JOIN free f USING (store_id)
ORDER BY complete DESC, v.there DESC, distance, f.starts_at, v.store_id
