"""A small shop that takes its payments through django-sadadpay. Read ``shop/sadadpay.py`` first."""
