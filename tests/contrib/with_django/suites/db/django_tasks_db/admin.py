from bide.contrib.django.admin import ReadOnly
from django_tasks_db.models import get_date_max


class DBTaskResultAdmin(ReadOnly):
    def display_run_after(self, row):
        return (
            self.get_empty_value_display()
            if row.run_after in (None, get_date_max())
            else row.run_after
        )
