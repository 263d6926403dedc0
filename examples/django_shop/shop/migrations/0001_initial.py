from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="PlacedOrder",
            fields=[
                ("reference", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("customer", models.CharField(max_length=100)),
                ("total", models.BigIntegerField(help_text="minor units")),
            ],
        ),
        migrations.CreateModel(
            name="Wish",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer", models.CharField(max_length=100)),
                ("sku", models.CharField(max_length=64)),
                ("quantity", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("customer", "sku"), name="one_wish_per_article")],
            },
        ),
    ]
