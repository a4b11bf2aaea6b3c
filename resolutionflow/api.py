from ninja import NinjaAPI

api = NinjaAPI(title="ResolutionFlow", version="1")
