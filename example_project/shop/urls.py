from __future__ import annotations

from django.urls import path

from example_project.shop import views

app_name = "shop"
urlpatterns = [
    path("", views.catalogue, name="catalogue"),
    path("basket/", views.basket, name="basket"),
    path("basket/add/<slug:slug>/", views.add, name="add"),
    path("basket/change/<slug:slug>/", views.change, name="change"),
    path("checkout/", views.checkout, name="checkout"),
    path("order/<str:token>/", views.order, name="order"),
    path("box/<slug:slug>/", views.box, name="box"),
    path("subscription/<str:token>/", views.subscription, name="subscription"),
    path("courses/", views.courses, name="courses"),
]
