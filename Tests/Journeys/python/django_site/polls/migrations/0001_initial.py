from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(name="Poll", fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
            ("question", models.CharField(max_length=100)),
            ("votes", models.IntegerField(default=0)),
        ]),
    ]
