"""Headers of image files, one module a format. ``vision.images.image_headers`` chooses among them.

They run on files that anybody may have made, in the decoder process, and import nothing that decodes. Each is as
lenient as the decoder where that skips bytes, and sees every size that the decoder may reserve memory for.
"""
