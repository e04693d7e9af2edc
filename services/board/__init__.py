"""The live page of the latest stories: reads news.stories, writes nothing."""
