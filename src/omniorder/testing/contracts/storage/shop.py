"""The shop: stores, articles and prices, each replaced by what is written under the same key."""

from __future__ import annotations

from omniorder.domain.articles import Article
from omniorder.domain.channels import Channel
from omniorder.domain.stores import Store
from omniorder.ports.storage import Storage
from omniorder.testing import samples
from omniorder.testing.contracts.storage.bench import StorageBench, put, read


class ShopContract(StorageBench):
    """What a storage promises about stores, articles and prices."""

    def test_a_new_storage_has_no_stores_articles_and_prices(self, storage: Storage) -> None:
        with storage.reading() as tx:
            assert (tx.stores(), dict(tx.articles([samples.MILK])), tx.prices([samples.MILK])) == ((), {}, ())

    def test_stores_come_back_as_they_were_written_ordered_by_id(self, storage: Storage) -> None:
        sofia, varna = samples.stores()
        put(storage, stores=(varna, sofia))
        assert read(storage, lambda tx: tx.stores()) == (sofia, varna)

    def test_stores_are_found_by_id_and_unknown_ones_left_out(self, storage: Storage) -> None:
        sofia, varna = samples.stores()
        put(storage, stores=(sofia, varna))
        with storage.reading() as tx:
            assert tx.stores([samples.VARNA, "NONE1"]) == (varna,)
            assert tx.stores([samples.VARNA, samples.SOFIA]) == (sofia, varna)
            assert tx.stores([]) == ()

    def test_a_store_written_again_is_replaced(self, storage: Storage) -> None:
        put(storage, stores=samples.stores())
        moved = Store(samples.SOFIA, zone="Europe/Athens", hours="24/7")
        put(storage, stores=(moved,))
        assert read(storage, lambda tx: tx.stores([samples.SOFIA])) == (moved,)

    def test_articles_come_back_by_sku_and_unknown_ones_are_left_out(self, storage: Storage) -> None:
        put(storage, articles=samples.articles())
        wanted = {article.sku: article for article in samples.articles() if article.sku != samples.MILK}
        found = read(storage, lambda tx: tx.articles([samples.BREAD, samples.APPLES, samples.CHEESE, "NO-SUCH"]))
        assert dict(found) == wanted
        assert dict(read(storage, lambda tx: tx.articles([]))) == {}

    def test_an_article_written_again_is_replaced(self, storage: Storage) -> None:
        put(storage, articles=samples.articles())
        renamed = Article(samples.BREAD, "Rye bread")
        put(storage, articles=(renamed,))
        assert dict(read(storage, lambda tx: tx.articles([samples.BREAD]))) == {samples.BREAD: renamed}

    def test_prices_come_back_ordered_by_sku_store_channel_and_validity(self, storage: Storage) -> None:
        """A price for everywhere comes before those for one store or channel, an open beginning before a date."""
        put(storage, prices=tuple(reversed(samples.prices())))
        found = read(storage, lambda tx: tx.prices([samples.APPLES, samples.CHEESE, samples.MILK, samples.BREAD]))
        assert found == samples.prices()

    def test_prices_of_other_skus_are_left_out(self, storage: Storage) -> None:
        put(storage, prices=samples.prices())
        with storage.reading() as tx:
            assert [price.sku for price in tx.prices([samples.BREAD, "NO-SUCH"])] == [samples.BREAD]
            assert tx.prices([]) == ()

    def test_a_price_of_the_same_sku_store_channel_and_beginning_is_replaced(self, storage: Storage) -> None:
        begins = samples.NOW
        old = samples.price(store=samples.SOFIA, channel=Channel.APP, valid_from=begins)
        new = samples.price(
            amount=199, tax="0.09", per=2, store=samples.SOFIA, channel=Channel.APP, valid_from=begins,
            valid_to=begins + samples.HOUR,
        )  # fmt: skip
        put(storage, prices=(old,))
        put(storage, prices=(new,))
        assert read(storage, lambda tx: tx.prices([samples.MILK])) == (new,)
