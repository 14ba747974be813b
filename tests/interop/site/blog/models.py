from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.db import models

USER = settings.AUTH_USER_MODEL


class Profile(models.Model):
    user = models.OneToOneField(USER, models.CASCADE)
    bio = models.TextField(blank=True)
    birthday = models.DateField(null=True)
    credit = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0))
    preferences = models.JSONField(default=dict)
    public_id = models.UUIDField(default=uuid4, unique=True)
    avatar = models.BinaryField(null=True)


class Post(models.Model):
    author = models.ForeignKey(USER, models.CASCADE, related_name="posts")
    editor = models.ForeignKey(USER, models.SET_NULL, null=True, related_name="edited_posts")
    title = models.CharField(max_length=200)
    created = models.DateTimeField()


class Comment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE)
    author = models.ForeignKey(USER, models.CASCADE)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    text = models.TextField()


class Page(models.Model):
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(USER, models.SET_NULL, null=True, related_name="pages")


class Article(Page):
    writer = models.ForeignKey(USER, models.CASCADE, related_name="articles")


class Remark(models.Model):
    page = models.ForeignKey(Page, models.CASCADE)
    text = models.TextField()


class Club(models.Model):
    name = models.CharField(max_length=100, unique=True)
    members = models.ManyToManyField(USER, related_name="clubs")
